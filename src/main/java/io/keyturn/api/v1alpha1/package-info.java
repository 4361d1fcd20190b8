/**
 * The API contract {@code keyturn.io/v1alpha1}: the custom resources and the names around them.
 *
 * <p>The CRDs in {@code src/main/resources/crds} are generated from these types; their descriptions
 * are what {@code kubectl explain} prints. This package knows no other package of Keyturn.
 */
package io.keyturn.api.v1alpha1;
