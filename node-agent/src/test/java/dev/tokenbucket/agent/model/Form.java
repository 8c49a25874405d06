// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

/** Which bucket a run's packets have. */
enum Form {
  /** A bucket a key, with prepaid batches and removal. */
  KEYED,
  /** One bucket for all, with a reservation a CPU. */
  RESERVING
}
