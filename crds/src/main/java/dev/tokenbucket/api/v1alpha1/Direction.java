// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** The direction of packets, as seen by the interface. */
public enum Direction {
  Ingress,
  Egress
}
