// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** How a packet is judged if its bucket finds no place in a full table. */
public enum OnFull {
  /** The packet draws on one further bucket of the policy's rate, which all such packets share. */
  ShareBucket,
  /** The least recently used bucket makes room; its debt is forgotten. */
  EvictOldest
}
