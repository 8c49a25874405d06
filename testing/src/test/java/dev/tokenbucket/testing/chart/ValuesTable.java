// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Present;
import org.snakeyaml.engine.v2.api.lowlevel.Serialize;
import org.snakeyaml.engine.v2.comments.CommentLine;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * The rows of a table of values, read from values.yaml and its comments that begin with {@code --}.
 */
final class ValuesTable {
  private static final String MARK = "-- ";

  /**
   * A value.
   *
   * @param key its path, such as {@code agent.compile}
   * @param fallback its default, as YAML in one line
   * @param text its meaning; empty if values.yaml says nothing
   */
  record Row(String key, String fallback, String text) {}

  private ValuesTable() {}

  /** One row per value, in the file's order. */
  static List<Row> rows(String values) {
    Node root =
        new Compose(LoadSettings.builder().setParseComments(true).build())
            .composeString(values)
            .orElseThrow();
    List<Row> rows = new ArrayList<>();
    collect("", (MappingNode) root, rows);
    return rows;
  }

  private static void collect(String prefix, MappingNode mapping, List<Row> rows) {
    for (NodeTuple tuple : mapping.getValue()) {
      String key = prefix + ((ScalarNode) tuple.getKeyNode()).getValue();
      @Nullable String text = text(tuple.getKeyNode());
      if (text == null
          && tuple.getValueNode() instanceof MappingNode child
          && !child.getValue().isEmpty()) {
        collect(key + ".", child, rows);
      } else {
        rows.add(new Row(key, flow(tuple.getValueNode()), text == null ? "" : text));
      }
    }
  }

  private static @Nullable String text(Node key) {
    @Nullable List<CommentLine> comments = key.getBlockComments();
    String all =
        comments == null
            ? ""
            : comments.stream()
                .map(line -> line.getValue().strip())
                .collect(Collectors.joining(" "));
    int mark = all.lastIndexOf(MARK);
    return mark < 0 ? null : all.substring(mark + MARK.length());
  }

  private static String flow(Node node) {
    forget(node);
    DumpSettings settings =
        DumpSettings.builder().setDefaultFlowStyle(FlowStyle.FLOW).setWidth(1_000).build();
    return new Present(settings)
        .emitToString(new Serialize(settings).serializeOne(node).iterator())
        .strip();
  }

  /** Drops block style and comments, because a table's cell has no room for them. */
  private static void forget(Node node) {
    node.setBlockComments(null);
    node.setInLineComments(null);
    node.setEndComments(null);
    if (node instanceof MappingNode mapping) {
      mapping.setFlowStyle(FlowStyle.FLOW);
      for (NodeTuple tuple : mapping.getValue()) {
        forget(tuple.getKeyNode());
        forget(tuple.getValueNode());
      }
    } else if (node instanceof SequenceNode sequence) {
      sequence.setFlowStyle(FlowStyle.FLOW);
      sequence.getValue().forEach(ValuesTable::forget);
    }
  }
}
