// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import java.io.IOException;
import java.util.List;

/** Opens the source of this node's desired state. */
@FunctionalInterface
public interface SourceOpening {
  /**
   * Opens the source.
   *
   * @param findings the preflight's findings, for the node state's status
   * @param wake signalled by a source that hears of changes
   */
  DesiredStateSource open(List<String> findings, Wake wake) throws IOException;
}
