// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** Whether exceeding packets are acted on, or only counted. */
public enum Mode {
  Enforce,
  Audit
}
