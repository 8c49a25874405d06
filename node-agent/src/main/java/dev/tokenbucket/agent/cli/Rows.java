// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Help.ColorScheme;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.Column.Overflow;
import picocli.CommandLine.Help.TextTable;

/** A table whose columns are as wide as their contents. */
final class Rows {
  private static final int GAP = 2;

  private final ColorScheme colors;
  private final List<String[]> rows = new ArrayList<>();

  Rows(ColorScheme colors, String... heads) {
    this.colors = colors;
    rows.add(heads);
  }

  void add(Object... cells) {
    rows.add(Arrays.stream(cells).map(Rows::text).toArray(String[]::new));
  }

  private static String text(Object cell) {
    return cell instanceof Number number ? "%,d".formatted(number.longValue()) : cell.toString();
  }

  @Override
  public String toString() {
    String[] heads = rows.get(0);
    Column[] columns = new Column[heads.length];
    for (int i = 0; i < heads.length; i++) {
      int at = i;
      int width = rows.stream().mapToInt(row -> row[at].length()).max().orElse(0);
      columns[i] = new Column(width + GAP, 0, Overflow.SPAN);
    }
    TextTable table = TextTable.forColumns(colors, columns);
    rows.forEach(table::addRowValues);
    return table.toString();
  }
}
