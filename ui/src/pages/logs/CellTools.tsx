import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Icon } from "../../components/Icon";
import styles from "./CellTools.module.css";

interface Pointed {
  condition: string;
  top: number;
  left: number;
}

const restMs = 250;
const toolsPx = 44;

interface CellToolsProps {
  onFilter: (condition: string, exclude: boolean) => void;
  children: ReactNode;
}

/** Filter and exclude for the cell under the mouse, once it rests there. By keyboard `f` and `x` do the same. */
export function CellTools({ onFilter, children }: CellToolsProps) {
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const area = useRef<HTMLDivElement>(null);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const onOver = (event: PointerEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    if (event.pointerType !== "mouse" || target?.closest(`.${styles.tools}`)) return;
    window.clearTimeout(timer.current);
    const cell = target?.closest<HTMLElement>('[role="gridcell"][data-condition]');
    setPointed(null);
    if (!cell) return;
    timer.current = window.setTimeout(() => {
      const frame = area.current?.getBoundingClientRect();
      const box = cell.getBoundingClientRect();
      const condition = cell.dataset.condition;
      if (!frame || condition === undefined || !cell.isConnected) return;
      setPointed({ condition, top: box.top - frame.top, left: box.right - frame.left - toolsPx });
    }, restMs);
  };
  const leave = () => {
    window.clearTimeout(timer.current);
    setPointed(null);
  };
  const act = (exclude: boolean) => {
    if (!pointed) return;
    leave();
    onFilter(pointed.condition, exclude);
  };
  return (
    <div ref={area} className={styles.area} onPointerOver={onOver} onPointerLeave={leave} onWheel={leave}>
      {children}
      {pointed && (
        <div
          className={styles.tools}
          style={{ top: pointed.top, left: pointed.left }}
          data-condition={pointed.condition}
          aria-hidden="true"
        >
          <button
            type="button"
            tabIndex={-1}
            title={`Filter by ${pointed.condition} (f)`}
            onClick={() => act(false)}
          >
            <Icon name="plus" small />
          </button>
          <button
            type="button"
            tabIndex={-1}
            title={`Exclude ${pointed.condition} (x)`}
            onClick={() => act(true)}
          >
            <Icon name="minus" small />
          </button>
        </div>
      )}
    </div>
  );
}
