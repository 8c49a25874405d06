// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.file.Path;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/** Pinned programs and maps as file descriptors, which the caller closes. */
public interface Descriptors {
  /** Pins a program or a map at a path that is still free. */
  void pin(int fd, Path pin);

  /** Opens a pinned program or map. */
  int open(Path pin);

  /** Opens a pinned program or map, reads from it and closes it. */
  default <T> T read(Path pin, IntFunction<T> use) {
    int map = open(pin);
    try {
      return use.apply(map);
    } finally {
      close(map);
    }
  }

  /** Opens a pinned map, uses it and closes it. */
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
