package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ContactTest {
  private final Contact contact = new Contact(Duration.ofNanos(100));

  @Test
  void aContactIsFreshForItsTime() {
    assertThat(contact.isFresh(0)).isFalse();
    contact.made(-50);
    assertThat(contact.isFresh(49)).isTrue();
    assertThat(contact.isFresh(50)).isFalse();
  }
}
