package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.file.Path;

/**
 * A hook of ours: where packets are met, and the folder on the BPF file system with what keeps it.
 */
public record Attachment(int ifindex, Direction direction, Path folder) {
  /** The pinned link, where TCX is used. */
  Path link() {
    return folder.resolve("link");
  }

  /** The pinned program, where a clsact filter is used. */
  Path filter() {
    return folder.resolve("filter");
  }

  /** A folder whose presence says that the clsact qdisc was made by us. */
  Path qdiscMark() {
    return folder.resolve("qdisc");
  }
}
