/**
 * Two login roles of a PostgreSQL that get new passwords in turn. The state of a role is in a line
 * of its comment, see {@link io.keyturn.store.postgresql.Mark}: whoever comes late sees there that
 * the role has gone on.
 */
package io.keyturn.store.postgresql;
