// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Commands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Runs docs/install.md command by command, as its reader would. */
record InstallGuideCase(RealNodes nodes) {
  /** A block of commands under the comment that says where it runs. */
  private static final Pattern ON_A_CLUSTER =
      Pattern.compile("<!-- run: cluster -->\n```sh\n(.*?)```", Pattern.DOTALL);

  void everyCommandWorks() {
    nodes.kubectl("delete", "namespace", Helm.NAMESPACE, "--ignore-not-found", "--timeout=120s");
    List<String> blocks = blocks();
    assertThat(blocks).hasSizeGreaterThan(5);
    for (String block : blocks) {
      System.out.print(block);
      System.out.print(Commands.run(nodes.inGuide(block)).indent(2));
    }
    assertThat(nodes.kubectl("get", "crd", "-o", "name")).doesNotContain("tokenbucket");
  }

  private static List<String> blocks() {
    try {
      String guide = Files.readString(Commands.repository().resolve("docs/install.md"));
      return ON_A_CLUSTER
          .matcher(guide)
          .results()
          .map((MatchResult each) -> each.group(1))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
