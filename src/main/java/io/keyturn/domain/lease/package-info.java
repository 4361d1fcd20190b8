/** How long a credential lives, when it is renewed, and when it has to be replaced. */
package io.keyturn.domain.lease;
