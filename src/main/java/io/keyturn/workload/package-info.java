/** Workloads and their pods: who refers to which Secret, which version a pod uses. */
package io.keyturn.workload;
