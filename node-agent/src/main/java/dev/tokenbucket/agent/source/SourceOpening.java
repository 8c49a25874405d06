package dev.tokenbucket.agent.source;

import java.io.IOException;
import java.util.List;

/** Opens who says what this node is to run. */
@FunctionalInterface
public interface SourceOpening {
  /**
   * Opens it.
   *
   * @param findings of the preflight, for the node state's status
   * @param wake signalled by a source that hears of changes
   */
  DesiredStateSource open(List<String> findings, Wake wake) throws IOException;
}
