// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** The hook of an interface that a policy runs on. */
public enum Hook {
  /** TCX, or clsact on kernels without TCX. */
  TC,
  /** Native XDP; the policy is not on an interface whose driver has none. */
  XDP,
  /** Native XDP where the interface has it, and TC elsewhere. */
  PreferXDP
}
