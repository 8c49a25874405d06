// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ContactTest {
  private final Contact contact = new Contact(Duration.ofNanos(100));

  @Test
  void aContactIsFreshForItsTime() {
    assertThat(contact.isFresh(0)).isFalse();
    assertThat(contact.last()).isEmpty();
    Instant time = Instant.ofEpochSecond(7);
    contact.made(-50, time);
    assertThat(contact.last()).contains(time);
    assertThat(contact.isFresh(49)).isTrue();
    assertThat(contact.isFresh(50)).isFalse();
  }
}
