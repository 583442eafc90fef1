// What answers are kept under. Apart, because the palette is a part of the first download and the pages are not.
export const dashboardsKey = ["dashboards"];
export const dashboardKey = (uid: string) => ["dashboard", uid];
