package io.keyturn.api.v1alpha1;

/** How well a version was proven for a workload before its pods received it. */
public enum Proof {
  /** Nothing ran on it: no canary was possible or wanted. */
  PreflightOnly,
  /** A pod of another workload of the binding ran on it. */
  WorkloadCanary,
  /** A pod of this workload ran on it, and only that pod. */
  PodCanary
}
