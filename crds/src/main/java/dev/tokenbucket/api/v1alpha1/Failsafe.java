// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** Whether a policy exempts the traffic that a node needs to stay in its cluster. */
public enum Failsafe {
  Enabled,
  Disabled
}
