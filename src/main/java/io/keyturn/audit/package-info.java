/** Who asked a store for what, and what came of it. */
package io.keyturn.audit;
