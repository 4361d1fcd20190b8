package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import java.util.Collection;

/** Asks others what they say of a version. Each question may be asked again at any time. */
public interface Judge {

  /**
   * Makes a check once; it takes at most its timeout, and never more than 30 seconds.
   *
   * @param candidate still belongs to the caller
   * @throws IllegalArgumentException if a Job makes this check, see {@link PreflightJobs}
   */
  Measurement check(Preflight check, SecretData candidate);

  /**
   * Measures a gate once; it takes at most 10 seconds.
   *
   * @param pods the names of the pods that are judged
   * @param version the version that they use, such as {@code v7-1a2b3c4d}
   * @throws IllegalArgumentException if a person answers this gate
   */
  Measurement gate(Gate gate, Collection<String> pods, String version);
}
