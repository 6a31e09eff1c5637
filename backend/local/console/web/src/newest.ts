// Keeps the newest answer in view above the question box, until the reader scrolls up.
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Returns what to call when a question is asked: from then on its answer is followed again. */
export function useNewestInView(
  list: RefObject<HTMLElement | null>,
  box: RefObject<HTMLElement | null>,
  content: unknown,
): () => void {
  const isFollowed = useRef(false);
  useEffect(() => {
    const page = document.documentElement;
    let [top, height] = [scrollY, page.scrollHeight];
    const look = () => {
      // A page that has become shorter moves as well.
      if (scrollY < top && page.scrollHeight >= height) isFollowed.current = false;
      [top, height] = [scrollY, page.scrollHeight];
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    const newest = list.current?.lastElementChild as HTMLElement | null | undefined;
    if (!newest || !isFollowed.current) return;
    newest.style.scrollMarginBottom = `${box.current!.offsetHeight}px`;
    // Of an answer that is higher than the window this shows the beginning.
    newest.scrollIntoView({ block: "nearest" });
  }, [content]);
  return () => (isFollowed.current = true);
}
