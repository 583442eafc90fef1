import { type RefObject, useEffect, useState } from "react";

/** Is the element on the screen, or nearly? Far ones need neither a drawing nor an answer. */
export function useVisible(element: RefObject<Element | null>, marginPx = 200): boolean {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    const observer = new IntersectionObserver(
      (entries) => setVisible(entries.at(-1)?.isIntersecting ?? false),
      { rootMargin: `${marginPx}px` },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element, marginPx]);
  return visible;
}
