/** When a rotation may start, and why then: pure functions of a policy, an age and a time. */
package io.keyturn.domain.schedule;
