// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Runs one action for many elements, on several threads. */
public final class InParallel {
  private InParallel() {}

  /** Returns when all are done; fails like the first one that failed. */
  public static <T> void forEach(Collection<T> all, int threads, Consumer<T> action) {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Callable<Void>> calls =
          all.stream()
              .<Callable<Void>>map(
                  each ->
                      () -> {
                        action.accept(each);
                        return null;
                      })
              .toList();
      for (Future<Void> done : executor.invokeAll(calls)) {
        done.get();
      }
    } catch (ExecutionException e) {
      throw new StepFailedException(String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted", e);
    } finally {
      executor.shutdownNow();
    }
  }
}
