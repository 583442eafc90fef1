// Rules, silences, receivers and settings in every state, in both schemes and three sizes.
import { RulesPage } from "../e2e/pages/RulesPage";
import { withFixture } from "./harness";
import { describeLooks } from "./looks";

withFixture();

describeLooks({
  rules: async ({ page }) => {
    const rules = new RulesPage(page);
    await rules.open();
    await rules.row("HostCpuPressure").waitFor();
  },
  "rules-drawer": async ({ page }) => {
    const rules = new RulesPage(page);
    await rules.open("?rule=hosts/HostCpuPressure");
    await rules.drawer("HostCpuPressure").waitFor();
  },
});
