// The focus of the keyboard, which must not get lost when a panel closes.
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** Gives the focus back to what opened a panel when it closes; `content` is what the panel shows. */
export function useReturnedFocus(panel: RefObject<HTMLElement | null>, content: unknown): void {
  useEffect(() => {
    const shown = panel.current!;
    const active = document.activeElement as HTMLElement | null;
    if (active && !shown.contains(active)) openers.set(shown, active);
  }, [content]);
  useEffect(() => {
    const shown = panel.current!;
    return () => {
      const active = document.activeElement;
      // A removed panel leaves the focus to the body.
      if (active === document.body || shown.contains(active)) openers.get(shown)?.focus();
    };
  }, []);
}

const openers = new WeakMap<HTMLElement, HTMLElement>();
