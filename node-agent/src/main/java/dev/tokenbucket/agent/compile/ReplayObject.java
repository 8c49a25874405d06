// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.compile;

import java.io.IOException;
import java.io.UncheckedIOException;

/** The classifier under the packets' own clock (replay.bpf.c), as it was built with the agent. */
public final class ReplayObject {
  private static final String NAME = "replay.bpf.o";

  private ReplayObject() {}

  /** The object file's bytes. */
  public static byte[] read() {
    try {
      return ClassifierResources.read(NAME);
    } catch (IOException e) {
      throw new UncheckedIOException("reading the classifier failed: " + e.getMessage(), e);
    }
  }
}
