// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import picocli.CommandLine.Option;

/** The option {@code --output} of commands that answer in a table or in JSON. */
public final class TableOrJson {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Format output = Format.table;

  private enum Format {
    table,
    json
  }

  boolean isJson() {
    return output == Format.json;
  }
}
