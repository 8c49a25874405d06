// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.nio.file.Path;

/** The receiver of a demo's policies: a cluster or a folder. */
interface PolicyTarget {
  /** Hands over a policy, without waiting for it to be in force. */
  void apply(Path policy);

  /** Waits until the policy's newest version is in force. */
  void awaitInForce(String name);

  /** Removes the policy, and waits until no host enforces it. */
  void remove(String name);

  /** Prints what a user would look at between cases. */
  void show();
}
