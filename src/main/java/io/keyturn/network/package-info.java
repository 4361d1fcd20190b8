/** Where connections go and whom they trust: what stores and checks have in common. */
package io.keyturn.network;
