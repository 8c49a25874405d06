// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.pins;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * This host's layouts of pinned maps: this agent's own, and the remains of agents of other
 * versions.
 *
 * @param folder holds one folder per layout, and directly the pins of layout 1
 */
public record Layouts(Path folder, Pins own) {
  private static final String PREFIX = "layout-";

  /** {@code tokenbucket/} on a BPF file system. */
  public static Layouts on(Path bpffs) {
    Path folder = bpffs.resolve("tokenbucket");
    return new Layouts(folder, new Pins(folder.resolve(PREFIX + Pins.LAYOUT)));
  }

  /** The layouts other than this agent's own that have any pins. */
  public List<Pins> others() {
    List<Pins> others = new ArrayList<>();
    for (Path each : Pins.entries(folder)) {
      Pins layout = new Pins(isLayout(each) ? each : folder);
      if (!layout.equals(own) && !others.contains(layout)) {
        others.add(layout);
      }
    }
    return List.copyOf(others);
  }

  /** A layout's number, for people. */
  public String number(Pins layout) {
    return layout.root().equals(folder)
        ? "1"
        : String.valueOf(layout.root().getFileName()).substring(PREFIX.length());
  }

  /** Removes a layout's pins. No program of the layout may be attached any more. */
  public void remove(Pins layout) {
    if (!layout.root().equals(folder)) {
      Pins.remove(layout.root());
      return;
    }
    Pins.entries(folder).stream().filter(each -> !isLayout(each)).forEach(Pins::remove);
  }

  private static boolean isLayout(Path entry) {
    return String.valueOf(entry.getFileName()).matches(PREFIX + "[0-9]{1,9}");
  }
}
