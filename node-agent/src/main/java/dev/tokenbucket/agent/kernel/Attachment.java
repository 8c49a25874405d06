package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

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

  /** The pinned program that is about to be the filter's. */
  Path nextFilter() {
    return folder.resolve("filter-new");
  }

  /** A folder whose presence says that the clsact qdisc was made by us, or is about to be. */
  Path qdiscMark() {
    return folder.resolve("qdisc");
  }

  /**
   * In a folder of hooks; by index, not name: names may hold dots, which that file system refuses.
   */
  public static Attachment in(Path hooks, int ifindex, Direction direction) {
    String name = direction.name().toLowerCase(Locale.ROOT) + "-" + ifindex;
    return new Attachment(ifindex, direction, hooks.resolve(name));
  }

  /** The interface's other direction, in the folder beside this one. */
  Attachment sibling() {
    Direction other = direction == Direction.Ingress ? Direction.Egress : Direction.Ingress;
    return in(folder.resolveSibling(""), ifindex, other);
  }

  /** Lets another folder of the same file system keep what this one keeps, of the same hook. */
  public void handTo(Attachment other) {
    try {
      // Copied, and first, so that it is not lost when we are killed; also of the other direction,
      // which may be given up without knowing of the other folder.
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
