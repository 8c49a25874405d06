// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.file.Files;

/** What links of TCX and of XDP have in common. */
final class PinnedLinks {
  private final NativeCalls calls;

  PinnedLinks(NativeCalls calls) {
    this.calls = calls;
  }

  /** Replaces the program without a gap. */
  void replace(Attachment at, int program) {
    int link = calls.open(at.link());
    try {
      NativeCalls.check(
          "updating link " + at.link(), calls.library().bpf_link_update(link, program, null));
    } finally {
      calls.close(link);
    }
  }

  /**
   * Detaches the program at once. If its link were only unpinned, the program would run until the
   * kernel frees the link.
   */
  void detach(Attachment at) {
    if (!Files.exists(at.link())) {
      return;
    }
    int link = calls.open(at.link());
    try {
      NativeCalls.check("detaching link " + at.link(), calls.library().bpf_link_detach(link));
    } finally {
      calls.close(link);
    }
    NativeCalls.unpin(at.link());
  }
}
