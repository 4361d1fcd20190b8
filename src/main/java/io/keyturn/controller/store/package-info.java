/** Says how stores are. */
package io.keyturn.controller.store;
