// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.slots.SlotIdentity.Window;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SlotIdentityTest {
  private static SlotIdentity identity(RateUnit unit, BucketPer per, Window window) {
    return new SlotIdentity("name", "uid", unit, per, 10, true, 24, 56, 7, window);
  }

  private static void assertKept(SlotIdentity identity) {
    assertThat(SlotIdentity.decode(identity.encode())).contains(identity);
  }

  @ParameterizedTest
  @EnumSource
  void eachKindOfBucketIsReadAsItWasWritten(BucketPer per) {
    assertKept(identity(RateUnit.Packets, per, Window.CONFORM));
  }

  @ParameterizedTest
  @EnumSource
  void eachUnitIsReadAsItWasWritten(RateUnit unit) {
    assertKept(identity(unit, BucketPer.Node, Window.MARK));
  }

  @Test
  void aFreeSlotIsNobodys() {
    assertThat(SlotIdentity.decode(new byte[SlotIdentity.SIZE])).isEmpty();
  }
}
