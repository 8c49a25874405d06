// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import picocli.CommandLine.Option;

/** The option {@code --output} of commands that answer in a text for people or in JSON. */
public final class TextOrJson {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format output = Format.text;

  private enum Format {
    text,
    json
  }

  boolean isJson() {
    return output == Format.json;
  }
}
