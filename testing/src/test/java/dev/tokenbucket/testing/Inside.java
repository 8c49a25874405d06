// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import jnr.ffi.LibraryLoader;

/**
 * Runs code in another network namespace, on a thread that enters the namespace and then ends. A
 * socket belongs to the namespace of its creation, so any thread can use it.
 */
public final class Inside {
  private static final int O_RDONLY = 0;
  private static final int CLONE_NEWNET = 0x40000000;

  /** The functions of libc that are used. */
  public interface LibC {
    int open(String path, int flags);

    int setns(int fd, int type);

    int close(int fd);
  }

  private Inside() {}

  public static <T> T call(String namespace, Callable<T> code) throws Exception {
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              enter(namespace);
              return code.call();
            });
    Thread thread = new Thread(task, "inside " + namespace);
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  private static void enter(String namespace) {
    LibC library = LibraryLoader.create(LibC.class).load("c");
    int fd = library.open("/run/netns/" + namespace, O_RDONLY);
    int entered = library.setns(fd, CLONE_NEWNET);
    library.close(fd);
    if (entered != 0) {
      throw new IllegalStateException("entering the network namespace " + namespace);
    }
  }
}
