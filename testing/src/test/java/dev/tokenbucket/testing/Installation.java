// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

/**
 * An installation's names.
 *
 * @param name what the names of its cluster-scoped objects begin with
 * @param agent the agents' service account
 * @param operator the operator's service account
 */
record Installation(String name, String namespace, String agent, String operator) {
  /** The installation from the plain manifests. */
  static final Installation PLAIN =
      new Installation(
          "tokenbucket", "tokenbucket-system", "tokenbucket-agent", "tokenbucket-operator");
}
