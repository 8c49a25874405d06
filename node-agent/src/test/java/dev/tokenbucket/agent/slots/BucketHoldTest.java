// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.program.Policy;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BucketHoldTest {
  private static final long TIME = BucketHold.TIME.toNanos();
  private static final int MOST = 3;
  private static final SlotIdentity ONE = SlotIdentity.of(Policy.packets(10, 1).at(1), 0);
  private static final SlotIdentity TWO = SlotIdentity.of(Policy.packets(10, 1).at(2), 0);
  private static final Map<Integer, SlotIdentity> ALL = Map.of(4, ONE, 7, TWO);

  private final BucketHold hold = new BucketHold();

  @Test
  void anIdleSlotOfAWantedPolicyIsHeldForItsTimeAndNoLonger() {
    assertThat(hold.hold(ALL, Set.of(7), Set.of(ONE, TWO), MOST, 0)).containsExactly(4);
    assertThat(hold.hold(ALL, Set.of(7), Set.of(ONE, TWO), MOST, TIME - 1)).containsExactly(4);
    assertThat(hold.ends(TIME - 1)).isFalse();

    assertThat(hold.ends(TIME)).isTrue();
    assertThat(hold.hold(ALL, Set.of(7), Set.of(ONE, TWO), MOST, TIME)).isEmpty();
    assertThat(hold.ends(TIME)).isFalse();
  }

  @Test
  void oneThatIsUsedMeanwhileHasItsWholeTimeAgain() {
    hold.hold(ALL, Set.of(7), Set.of(ONE, TWO), MOST, 0);
    hold.hold(ALL, Set.of(4, 7), Set.of(ONE, TWO), MOST, TIME / 2);

    assertThat(hold.hold(ALL, Set.of(7), Set.of(ONE, TWO), MOST, TIME + 1)).containsExactly(4);
  }

  @Test
  void aPolicyThatIsNotWantedIsNotHeld() {
    assertThat(hold.hold(ALL, Set.of(7), Set.of(TWO), MOST, 0)).isEmpty();
  }

  @Test
  void whereThereIsNoRoomForAllNoneIsHeld() {
    assertThat(hold.hold(ALL, Set.of(1, 2), Set.of(ONE, TWO), MOST, 0)).isEmpty();
  }
}
