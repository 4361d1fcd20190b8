/** What each store has to hold, whatever it asks. */
package io.keyturn.contract;
