// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.probe;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;

/** Keeps a pod running after its init container did the work: a DaemonSet's pods may not end. */
@Command(name = "hold", hidden = true, description = "Waits until it is stopped.")
public final class HoldCommand implements Callable<Integer> {
  @Override
  public Integer call() throws InterruptedException {
    new CountDownLatch(1).await();
    return 0;
  }
}
