// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** One hook that the agent uses, and the folder on the BPF file system whose pins keep it alive. */
public record Attachment(int ifindex, HookPoint point, Path folder) {
  /** The pinned link, if TCX or XDP is used. */
  Path link() {
    return folder.resolve("link");
  }

  /** The pinned program, if a clsact filter is used. */
  Path filter() {
    return folder.resolve("filter");
  }

  /** The pinned program that is about to become the filter's. */
  Path nextFilter() {
    return folder.resolve("filter-new");
  }

  /** A folder whose presence says that the agent made the clsact qdisc, or is about to make it. */
  Path qdiscMark() {
    return folder.resolve("qdisc");
  }

  /**
   * The attachment in a folder of hooks. Its folder is named by the interface's index, because
   * names may hold dots, which the BPF file system refuses.
   */
  public static Attachment in(Path hooks, int ifindex, HookPoint point) {
    return new Attachment(ifindex, point, hooks.resolve(point.folder(ifindex)));
  }

  /** The interface's other tc direction, in the folder beside this one. */
  Attachment sibling() {
    HookPoint other = point == HookPoint.INGRESS ? HookPoint.EGRESS : HookPoint.INGRESS;
    return in(folder.resolveSibling(""), ifindex, other);
  }

  /** Moves the pins of this folder to another folder of the same file system, for the same hook. */
  public void handTo(Attachment other) {
    try {
      // The mark is copied before the pins move, so that no kill of the agent loses it. The other
      // direction's mark counts too, because that direction may be given up without knowing of the
      // new folder.
      if (Files.exists(qdiscMark()) || Files.exists(sibling().qdiscMark())) {
        Files.createDirectories(other.qdiscMark());
      }
      move(link(), other.link());
      move(filter(), other.filter());
    } catch (IOException e) {
      throw new UncheckedIOException("moving pins of " + folder, e);
    }
  }

  private static void move(Path pin, Path to) throws IOException {
    if (Files.exists(pin)) {
      Files.move(pin, to, StandardCopyOption.ATOMIC_MOVE);
    }
  }
}
