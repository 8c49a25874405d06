// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.slots.SlotIdentity.Role;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SlotIdentityTest {
  private static SlotIdentity identity(RateUnit unit, BucketPer per, Role role) {
    return new SlotIdentity("name", "uid", unit, per, 10, true, 24, 56, 7, role);
  }

  private static void assertKept(SlotIdentity identity) {
    assertThat(SlotIdentity.decode(identity.encode())).contains(identity);
  }

  @ParameterizedTest
  @EnumSource
  void eachKindOfBucketIsReadAsItWasWritten(BucketPer per) {
    assertKept(identity(RateUnit.Packets, per, Role.OWN));
  }

  @ParameterizedTest
  @EnumSource
  void eachUnitIsReadAsItWasWritten(RateUnit unit) {
    assertKept(identity(unit, BucketPer.Node, Role.MARK));
  }

  @ParameterizedTest
  @EnumSource
  void eachRoleIsReadAsItWasWritten(Role role) {
    assertKept(identity(RateUnit.Bits, BucketPer.Node, role));
  }

  /** Agents of versions without parent buckets wrote and read these words. */
  @Test
  void olderAgentsKnowTheWordsOfTheirRoles() {
    assertThat(identity(RateUnit.Bits, BucketPer.Node, Role.OWN).encode())
        .containsSequence("CONFORM".getBytes(StandardCharsets.UTF_8));
    assertThat(identity(RateUnit.Bits, BucketPer.Node, Role.MARK).encode())
        .containsSequence("MARK".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aFreeSlotIsNobodys() {
    assertThat(SlotIdentity.decode(new byte[SlotIdentity.SIZE])).isEmpty();
  }
}
