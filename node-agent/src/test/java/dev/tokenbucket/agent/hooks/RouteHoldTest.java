// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.LinkSpeeds;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouteHoldTest {
  private static final long TIME = RouteHold.TIME.toNanos();

  @TempDir Path folder;

  private static HostLinks links(Set<Integer> defaultRoutes, Integer... devices) {
    return new HostLinks(
        Stream.of(devices).map(RouteHoldTest::device).toList(),
        defaultRoutes,
        Set.of(),
        LinkSpeeds.UNKNOWN);
  }

  private static NetworkDevice device(int index) {
    return new NetworkDevice(
        index, "eth" + index, List.of(), 1, "", Optional.empty(), Optional.empty(), false);
  }

  @Test
  void anInterfaceWithoutItsRouteCountsForItsTimeAndNoLonger() {
    RouteHold hold = new RouteHold(folder);

    assertThat(hold.over(links(Set.of(2), 2, 3), 0).held()).isEmpty();
    HostLinks held = hold.over(links(Set.of(3), 2, 3), TIME - 1);
    assertThat(held.defaultRoutes()).containsExactlyInAnyOrder(2, 3);
    assertThat(held.held()).containsExactly(2);
    assertThat(hold.ends(TIME - 1)).isFalse();

    assertThat(hold.ends(TIME)).isTrue();
    assertThat(hold.over(links(Set.of(3), 2, 3), TIME).defaultRoutes()).containsExactly(3);
    assertThat(hold.ends(TIME)).isFalse();
  }

  @Test
  void aRouteThatComesBackBeginsTheTimeAgain() {
    RouteHold hold = new RouteHold(folder);

    hold.over(links(Set.of(2), 2), 0);
    hold.over(links(Set.of(), 2), TIME / 2);
    hold.over(links(Set.of(2), 2), TIME - 1);

    assertThat(hold.over(links(Set.of(), 2), TIME + 1).held()).containsExactly(2);
    assertThat(hold.over(links(Set.of(), 2), 2 * TIME).held()).isEmpty();
  }

  @Test
  void anInterfaceThatIsGoneIsNotHeldNorIsALaterOneOfItsIndex() {
    RouteHold hold = new RouteHold(folder);

    hold.over(links(Set.of(2), 2), 0);
    assertThat(hold.over(links(Set.of()), 1).held()).isEmpty();
    assertThat(hold.over(links(Set.of(), 2), 2).held()).isEmpty();
  }

  @Test
  void anAgentThatStartsGoesOnWithWhatTheLastOneSaw() {
    RouteHold before = new RouteHold(folder);
    before.over(links(Set.of(2, 3), 2, 3), 0);
    before.keep();
    before.over(links(Set.of(2), 2), 1);
    before.keep();

    RouteHold after = new RouteHold(folder);
    HostLinks links = after.over(links(Set.of(), 2, 3), 5 * TIME);

    assertThat(links.held()).containsExactly(2);
    assertThat(after.over(links(Set.of(), 2, 3), 6 * TIME).held()).isEmpty();
    after.keep();
    assertThat(folder).isEmptyDirectory();
  }
}
