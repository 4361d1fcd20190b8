/** What Keyturn asks of an API server. */
package io.keyturn.kubernetes;
