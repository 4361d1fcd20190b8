/** HashiCorp Vault and OpenBao: values of KV engines, leased credentials, certificates. */
package io.keyturn.store.vault;
