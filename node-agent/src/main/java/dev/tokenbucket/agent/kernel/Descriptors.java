package dev.tokenbucket.agent.kernel;

import java.nio.file.Path;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/** Pinned programs and maps, by file descriptors, which are closed by who got them. */
public interface Descriptors {
  /** Pins a program or a map where nothing is pinned yet. */
  void pin(int fd, Path pin);

  /** Opens a pinned program or map. */
  int open(Path pin);

  /** Opens a pinned program or map for as long as it is read. */
  default <T> T read(Path pin, IntFunction<T> use) {
    int map = open(pin);
    try {
      return use.apply(map);
    } finally {
      close(map);
    }
  }

  /** Opens a pinned map for as long as it is used. */
  default void use(Path pin, IntConsumer use) {
    int map = open(pin);
    try {
      use.accept(map);
    } finally {
      close(map);
    }
  }

  void close(int fd);
}
