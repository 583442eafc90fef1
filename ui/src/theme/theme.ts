import {
  type CSSVariablesResolver,
  colorsTuple,
  createTheme,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
} from "@mantine/core";
import { fonts, palettes, roles } from "./tokens";

function tuple(shades: string): MantineColorsTuple {
  return colorsTuple(shades.split(" "));
}

export const theme = createTheme({
  colors: {
    violet: tuple(palettes.violet),
    red: tuple(palettes.red),
    gray: tuple(palettes.gray),
    dark: tuple(palettes.dark),
  },
  primaryColor: "violet",
  primaryShade: { light: 7, dark: 6 },
  fontFamily: fonts.sans,
  fontFamilyMonospace: fonts.mono,
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  lineHeights: { xs: "16px", sm: "20px", md: "20px", lg: "24px", xl: "28px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  radius: { xs: "2px", sm: "4px", md: "6px", lg: "8px", xl: "12px" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // The keys go into what opens, and back to what opened it.
    Popover: {
      defaultProps: { offset: 6, trapFocus: true, returnFocus: true, transitionProps: { duration: 0 } },
      classNames: { dropdown: "floating" },
    },
  },
});

function pick(scheme: 0 | 1): Record<string, string> {
  return Object.fromEntries(Object.entries(roles).map(([name, pair]) => [`--${name}`, pair[scheme]]));
}

/** Puts the roles on the page as CSS variables, one set per scheme. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: { "--font-sans": fonts.sans, "--font-mono": fonts.mono },
  dark: { ...pick(0), "--mantine-color-body": "var(--canvas)", "--mantine-color-text": "var(--text-2)" },
  light: { ...pick(1), "--mantine-color-body": "var(--canvas)", "--mantine-color-text": "var(--text-2)" },
});

/** The key is also read by public/scheme.js, before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: "narrows.scheme" });
