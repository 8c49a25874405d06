// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api;

import java.util.ArrayList;
import java.util.List;

/** Numbers and lists in the messages that people read. */
public final class Texts {
  private Texts() {}

  /** A number with its noun: "1 node", "2 nodes", "2 policies". */
  public static String count(long number, String noun) {
    return number + " " + noun(number, noun);
  }

  /** The noun as it follows the number: "node" after 1, else "nodes". */
  public static String noun(long number, String noun) {
    if (number == 1) {
      return noun;
    }
    return noun.endsWith("y") ? noun.substring(0, noun.length() - 1) + "ies" : noun + "s";
  }

  /** The first texts and the number of the others: "a, b and 3 more". */
  public static String first(int most, List<String> texts) {
    return some(texts.subList(0, Math.min(most, texts.size())), texts.size());
  }

  /** These texts, and how many more there are in all: "a, b and 3 more". */
  public static String some(List<String> texts, int all) {
    return String.join(", ", texts) + more(" and ", texts, all);
  }

  /** These sentences, and how many more there are in all: "a; b; and 3 more". */
  public static String someSentences(List<String> texts, int all) {
    return String.join("; ", texts) + more("; and ", texts, all);
  }

  private static String more(String and, List<String> texts, int all) {
    return all > texts.size() ? and + (all - texts.size()) + " more" : "";
  }

  /** The list, or its beginning with "and 3 more" in the last place if it is longer than most. */
  public static List<String> bounded(int most, List<String> texts) {
    if (texts.size() <= most) {
      return List.copyOf(texts);
    }
    List<String> kept = new ArrayList<>(texts.subList(0, most - 1));
    kept.add("and " + (texts.size() - kept.size()) + " more");
    return List.copyOf(kept);
  }
}
