/** What a store can do. The backends know this package and not each other. */
package io.keyturn.store.spi;
