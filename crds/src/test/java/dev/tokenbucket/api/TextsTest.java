// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class TextsTest {
  @Test
  void aNounFollowsItsNumber() {
    assertEquals("0 nodes", Texts.count(0, "node"));
    assertEquals("1 node", Texts.count(1, "node"));
    assertEquals("1 policy", Texts.count(1, "policy"));
    assertEquals("2 policies", Texts.count(2, "policy"));
  }

  @Test
  void aLongListNamesItsFirstAndCountsTheRest() {
    assertEquals("a, b", Texts.first(2, List.of("a", "b")));
    assertEquals("a, b and 1 more", Texts.first(2, List.of("a", "b", "c")));
    assertEquals("a and 9 more", Texts.some(List.of("a"), 10));
    assertEquals("a; b; and 1 more", Texts.someSentences(List.of("a", "b"), 3));
  }

  @Test
  void aBoundedListCountsWhatItLeavesOut() {
    assertEquals(List.of("a", "b"), Texts.bounded(2, List.of("a", "b")));
    assertEquals(List.of("a", "and 2 more"), Texts.bounded(2, List.of("a", "b", "c")));
  }
}
