import { useMediaQuery } from "@mantine/hooks";

/** One column, a bottom bar and large controls: the same width as in the style sheets. */
export function usePhone(): boolean {
  return useMediaQuery("(max-width: 639px)", window.innerWidth < 640) ?? false;
}
