// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Samples in Prometheus' text format. */
record Exposition(List<Sample> samples) {
  /**
   * One line.
   *
   * @param labels as printed, including braces
   */
  record Sample(String name, String labels, double value) {
    boolean has(String label, String value) {
      return labels.contains(label + "=\"" + value + '"');
    }
  }

  static Exposition of(String text) {
    List<Sample> samples = new ArrayList<>();
    text.lines()
        .filter(line -> !line.startsWith("#") && line.contains(" "))
        .forEach(line -> samples.add(sample(line)));
    return new Exposition(List.copyOf(samples));
  }

  private static Sample sample(String line) {
    int value = line.lastIndexOf(' ');
    int labels = line.indexOf('{');
    String name = line.substring(0, labels < 0 ? value : labels);
    return new Sample(
        name,
        labels < 0 ? "" : line.substring(labels, value),
        Double.parseDouble(line.substring(value + 1).replace("Inf", "Infinity")));
  }

  double sum(String name, Predicate<Sample> which) {
    return samples.stream()
        .filter(each -> each.name().equals(name))
        .filter(which)
        .mapToDouble(Sample::value)
        .sum();
  }
}
